PRAGMA application_id = 1398100820;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE alert_people (
            criminal_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (criminal_id, seq)
        ) WITHOUT ROWID;
INSERT INTO "alert_people" VALUES('c1',1);
INSERT INTO "alert_people" VALUES('c2',1);
CREATE TABLE alerts (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            event_type TEXT NOT NULL, camera_id TEXT NOT NULL, camera_location TEXT NOT NULL,
            occurred_at INTEGER NOT NULL, received_at INTEGER NOT NULL, criminal_id TEXT,
            name TEXT, distance REAL, score REAL, candidates TEXT NOT NULL, photo_id TEXT,
            status TEXT NOT NULL, face BLOB
        );
INSERT INTO "alerts" VALUES(1,'a1','face','face','cam-1','Main gate',1777896000123457,1777896000123458,'c1','Ada Nowak',3.00000000000000044408e-01,3.33333333333333314829e-01,'[["c1", "Ada Nowak", 0.3, 0.7, 0.01], ["c2", "Ada Nowak", 0.3, 0.7, 0.01]]','p1','new',X'61206661636500FF');
INSERT INTO "alerts" VALUES(2,'a2','activity','violence','cam-1','Main gate',1777896000123457,1777896000123458,NULL,NULL,NULL,NULL,'[]',NULL,'new',NULL);
CREATE TABLE audit (
            seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,
            address TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
            reason TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL,
            digest TEXT NOT NULL
        );
CREATE TABLE audit_head (
            only INTEGER PRIMARY KEY CHECK (only = 1), first INTEGER NOT NULL,
            anchor TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
            key_id TEXT NOT NULL, signature TEXT NOT NULL
        );
CREATE TABLE camera_days (
            camera_id TEXT NOT NULL, day INTEGER NOT NULL, detections INTEGER NOT NULL,
            alerts INTEGER NOT NULL, PRIMARY KEY (camera_id, day)
        ) WITHOUT ROWID;
CREATE TABLE cameras (
            id TEXT PRIMARY KEY, location TEXT NOT NULL, last_heard_at INTEGER NOT NULL,
            detections INTEGER NOT NULL, alerts INTEGER NOT NULL
        ) WITHOUT ROWID;
INSERT INTO "cameras" VALUES('cam-1','Main gate',1777896000123457,3,1);
CREATE TABLE criminals (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, age INTEGER, crimes TEXT NOT NULL,
            threat TEXT NOT NULL, status TEXT NOT NULL, case_reference TEXT, expires_at INTEGER,
            last_seen_at INTEGER, last_seen_camera TEXT, last_seen_location TEXT,
            created_at INTEGER NOT NULL
        ) WITHOUT ROWID;
INSERT INTO "criminals" VALUES('c1','Zoë O''Brien 王',41,'["fraud", "arson, twice"]','high','apprehended','K-17/2026',1777901400123457,1777896000123457,'cam-1','Main gate',1777896000123457);
INSERT INTO "criminals" VALUES('c2','Ada Nowak',NULL,'[]','medium','wanted',NULL,NULL,1777896000123457,'cam-1','Main gate',1777896000123457);
CREATE TABLE events (
            camera_id TEXT NOT NULL, event_id TEXT NOT NULL, kind TEXT NOT NULL,
            received_at INTEGER NOT NULL, first_seq INTEGER, last_seq INTEGER,
            PRIMARY KEY (camera_id, event_id)
        ) WITHOUT ROWID;
INSERT INTO "events" VALUES('cam-1','e1','alert',1777896000123457,1,2);
INSERT INTO "events" VALUES('cam-1','e2','no match',1777896000123457,NULL,NULL);
CREATE TABLE holds (
            alert_id TEXT PRIMARY KEY, reason TEXT NOT NULL, made_by TEXT NOT NULL,
            made_at INTEGER NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE judgements (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, alert_id TEXT NOT NULL,
            kind TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, note TEXT NOT NULL,
            made_by TEXT NOT NULL, made_at INTEGER NOT NULL
        );
CREATE TABLE keys (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, cameras TEXT NOT NULL,
            digest TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
            revoked_at INTEGER, last_used_at INTEGER
        ) WITHOUT ROWID;
INSERT INTO "keys" VALUES('k1','panel','operator','cam-1','abababababababababababababababababababababababababababababababab',1777896000123457,1785672000123457,NULL,1777896060123457);
INSERT INTO "keys" VALUES('k2','old','camera','','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',1777896060123457,NULL,1777896120123457,NULL);
CREATE TABLE photo_contents (
            number INTEGER PRIMARY KEY REFERENCES photos ON DELETE CASCADE, content BLOB NOT NULL
        );
INSERT INTO "photo_contents" VALUES(1,X'6669727374');
INSERT INTO "photo_contents" VALUES(2,X'7365636F6E64');
INSERT INTO "photo_contents" VALUES(3,X'7468697264');
CREATE TABLE photos (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            digest TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL
        );
INSERT INTO "photos" VALUES(1,'p1','c1','a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e','image/png');
INSERT INTO "photos" VALUES(2,'p2','c1','16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4','image/png');
INSERT INTO "photos" VALUES(3,'p3','c2','b1e99324505bd32da0e1f85dcf5e19a09db0481e8a15f62c41eb320304a8e927','image/png');
CREATE TABLE revisions (
            criminal_id TEXT PRIMARY KEY, revision INTEGER NOT NULL UNIQUE
        ) WITHOUT ROWID;
INSERT INTO "revisions" VALUES('c1',1);
INSERT INTO "revisions" VALUES('c2',2);
INSERT INTO "revisions" VALUES('gone',4);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "secrets" VALUES('sessions',X'3221AB027709E5D539A6D27B0BFA694DB816A796F1370EDA92FE6E6F739B15EE');
CREATE TABLE sightings (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            occurred_at INTEGER NOT NULL, id TEXT NOT NULL, camera_id TEXT NOT NULL,
            camera_location TEXT NOT NULL, received_at INTEGER NOT NULL, distance REAL NOT NULL,
            score REAL NOT NULL, suppressed INTEGER NOT NULL,
            PRIMARY KEY (criminal_id, occurred_at, id)
        ) WITHOUT ROWID;
INSERT INTO "sightings" VALUES('c1',1777896000123457,'s1','cam-1','Main gate',1777896000123458,3.00000000000000044408e-01,3.33333333333333314829e-01,0);
INSERT INTO "sightings" VALUES('c2',1777896000123457,'s2','cam-1','Main gate',1777896000123458,3.00000000000000044408e-01,3.33333333333333314829e-01,1);
CREATE TABLE templates (
            criminal_id TEXT NOT NULL REFERENCES criminals ON DELETE CASCADE,
            encoder_id TEXT NOT NULL, photo_id TEXT NOT NULL,
            eye_distance REAL NOT NULL, sharpness REAL NOT NULL, brightness REAL NOT NULL,
            detector_score REAL NOT NULL, vector BLOB NOT NULL,
            PRIMARY KEY (criminal_id, encoder_id, photo_id)
        ) WITHOUT ROWID;
INSERT INTO "templates" VALUES('c1','dlib/1','p1',61.5,210.25,127.5,0.75,X'D9625B3E7565023F34C5513EDFD14EBF');
INSERT INTO "templates" VALUES('c1','dlib/1','p2',61.5,210.25,127.5,0.75,X'5D291C3F2B8C43BF80EDFF3DB5C52DBE');
INSERT INTO "templates" VALUES('c1','other/2.0','p1',61.5,210.25,127.5,0.75,X'F290983DDEED52BED8AB26BE7F4876BF');
INSERT INTO "templates" VALUES('c2','dlib/1','p3',61.5,210.25,127.5,0.75,X'287DAEBE8D17BBBDEFB15E3F5375B03E');
CREATE INDEX criminals_by_name ON criminals (name);
CREATE INDEX photos_by_criminal ON photos (criminal_id);
CREATE INDEX templates_by_encoder ON templates (encoder_id, criminal_id);
CREATE INDEX alerts_by_time ON alerts (occurred_at);
CREATE INDEX events_by_time ON events (received_at);
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_at IS NULL;
CREATE INDEX judgements_by_alert ON judgements (alert_id);
CREATE INDEX judgements_by_time ON judgements (made_at);
CREATE INDEX alerts_by_arrival ON alerts (received_at);
CREATE INDEX sightings_by_arrival ON sightings (received_at);
CREATE INDEX audit_by_time ON audit (at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('alerts',2);
COMMIT;
