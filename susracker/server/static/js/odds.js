// How often a stranger would score as high as a match did, in words. It is no probability that the
// match is right.

import { text } from "./text.js";

/** Beyond this, the tables behind the rate are extrapolated, so no larger number is named. */
const RAREST = 1_000_000;

/** From here on, a share in percent reads better than "1 in 4". */
const FREQUENT = 0.1;

/** "1 stranger in 5,000 would score this high". @param {number} fpir from 0 to 1 */
export function odds(fpir) {
  if (fpir >= FREQUENT) return text.odds.frequent(percent(fpir));
  const number = oneIn(fpir);
  return number > RAREST ? text.odds.rarest(RAREST) : text.odds.rare(number);
}

/** "1 in 5,000". */
export function shortOdds(fpir) {
  if (fpir >= FREQUENT) return percent(fpir);
  const number = oneIn(fpir);
  return number > RAREST ? text.odds.shortest : text.odds.short(number);
}

const percent = (share) => `${Math.round(share * 100)}%`;

/** Two digits are as much as is known. */
function oneIn(fpir) {
  if (!(fpir > 1 / RAREST)) return Infinity;
  return Number((1 / fpir).toPrecision(2));
}
