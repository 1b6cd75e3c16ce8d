/** Countries by their names, and which one somebody is probably in. */

const CODES =
  "AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IS IT JM JO JP KE KG KH KI KM KN KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PT PW PY QA RO RS RW SA SB SC SE SG SI SK SL SM SN SO SR SS ST SV SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WS YE ZA ZM ZW".split(
    " ",
  );
const KEPT = "rialto.country";
const HOME = "DE";

const names = new Intl.DisplayNames("en", { type: "region" });

/** Every country, in the order of the alphabet. */
export const COUNTRIES = CODES.map((code) => ({ code, name: names.of(code) ?? code })).sort(
  (one, other) => one.name.localeCompare(other.name),
);

/** Where somebody said they are, or what their browser says, or where the shop is. */
export function presentCountry() {
  const region = new Intl.Locale(navigator.language).region;
  const found = [localStorage.getItem(KEPT), region].find((code) => CODES.includes(code ?? ""));
  return found ?? HOME;
}

/** @param {string} code */
export const keepCountry = (code) => localStorage.setItem(KEPT, code);
