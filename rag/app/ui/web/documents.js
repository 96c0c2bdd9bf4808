/* What documents are called: by their file, and where several files have one name, by as much of the path as tells them apart. */

let endings = new Map(); // URI: shortest ending of its path that no other document has

/** Take note of all documents. */
export function learn(rows) {
  endings = new Map();
  let same = rows.map((row) => row.document);
  for (let parts = 1; same.length; parts += 1) {
    const groups = Map.groupBy(same, (uri) => uri.split("/").slice(-parts).join("/"));
    same = [];
    for (const [ending, uris] of groups) {
      if (uris.length === 1 || uris[0].split("/").length < parts) uris.forEach((uri) => endings.set(uri, ending));
      else same.push(...uris);
    }
  }
}

/** The shortest ending of a document's path that only it has; the server takes it for its name, too. */
export const endingOf = (uri) => endings.get(uri) ?? uri.split("/").at(-1);

/** A card's title, with the file where that is all that tells it from others. */
export const nameOf = (card) => (endingOf(card.document).endsWith(`/${card.title}`) ? endingOf(card.document) : card.title);

/** Facts of a card, in which a file's name that others have, too, is told apart; a title that is such a name as well. */
export function factsOf(card) {
  const ending = card.document ? endingOf(card.document) : "";
  if (!ending.includes("/")) return card.facts;
  const others = card.facts.filter((fact) => fact !== ending.split("/").at(-1));
  return [...others, ending];
}
