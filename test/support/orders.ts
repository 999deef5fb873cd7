/** All permutations of a list. */
export function orders<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first, index) => orders(list.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

/** All subsets of a list, in the list's order. */
export function subsets<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  const rest = subsets(list.slice(0, -1));
  return rest.concat(rest.map((subset) => [...subset, ...list.slice(-1)]));
}
