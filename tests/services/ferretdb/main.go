// A FerretDB for tests: MongoDB's protocol on SQLite, in one process.
//
//	ferretdb 127.0.0.1:27017 /path/to/folder
//
// It runs until it is told to stop, and says when it listens.
//
// MongoDB changes a document atomically. This version of FerretDB does not: of two updates of one
// document at the same time, one may undo the other. So clients talk to it through a relay that
// passes on one command at a time.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb HOST:PORT FOLDER")
	}
	// The path of a socket may not be long, and that of a test's folder is.
	folder, err := os.MkdirTemp("", "ferretdb")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	socket := filepath.Join(folder, "socket")
	database, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + os.Args[2] + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	stopped, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go func() {
		if err := relay(os.Args[1], socket); err != nil {
			log.Fatal(err)
		}
	}()
	fmt.Println("listening", os.Args[1])
	if err := database.Run(stopped); err != nil {
		log.Fatal(err)
	}
}
