/** Payment methods as people call them: `Visa ending 4242`. */

/** @param {any} method */
export function methodName(method) {
  const brand = method.brand ?? method.kind ?? "card";
  const name = brand.charAt(0).toUpperCase() + brand.slice(1).replaceAll("_", " ");
  const last = method.last4 ?? method.ending;
  return last ? `${name} ending ${last}` : name;
}
