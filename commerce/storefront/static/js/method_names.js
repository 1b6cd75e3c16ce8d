/** Payment methods as people call them: `Visa ending 4242`. */

/** @param {any} method */
export function methodName(method) {
  const brand = method.brand || method.kind || "card";
  const name = brand.charAt(0).toUpperCase() + brand.slice(1).replaceAll("_", " ");
  return method.last4 ? `${name} ending ${method.last4}` : name;
}
