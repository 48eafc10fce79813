// A source's own words as messages may carry them: short, and without what moves a terminal or breaks a log line.

/** At most `lengthMax` characters of `text`; control, format and unpaired characters become '?'. */
export function excerpt(text: string, lengthMax = 120): string {
  return [...text.slice(0, lengthMax)].map((character) => character.replace(/[\p{C}\p{Zl}\p{Zp}]/u, '?')).join('')
}
