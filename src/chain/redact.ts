// Takes out of a stranger's words what an endpoint's URL holds: providers put keys into paths and queries, and echo them.

/** What stands in the place of what is hidden. */
const hidden = '[hidden]'
/** Shorter parts of a path say nothing (`v2`, `rpc`) and would be found within other words. */
const partLengthMin = 6

/** Replaces all URLs, and every part of `url` that could be a key: user, path, query, and the host they go with. */
export function createRedactor(url: string): (text: string) => string {
  const parts = URL.canParse(url) ? secretsOf(new URL(url)) : []
  return (text) =>
    parts.reduce((left, part) => left.replaceAll(part, hidden), text.replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, hidden))
}

/** Longest first, so that no part is left of one that holds it. */
function secretsOf({ host, hostname, username, password, pathname, search }: URL): readonly string[] {
  const isPath = pathname !== '/'
  const found = [
    isPath ? `${host}${pathname}${search}` : '',
    isPath ? `${hostname}${pathname}` : '',
    `${pathname}${search}`,
    pathname,
    search,
    username,
    password,
    ...pathname.split('/'),
    ...search.split(/[?&]/).map((pair) => pair.slice(pair.indexOf('=') + 1)),
  ]
  const isPart = (part: string): boolean => part.length >= partLengthMin
  const decoded = found.flatMap((part) => [part, unescaped(part)])
  return [...new Set(decoded.filter(isPart))].sort((a, b) => b.length - a.length)
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
