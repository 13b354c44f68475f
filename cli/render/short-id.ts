/** Ten digits of a content id: enough to tell versions apart by eye. */
export function shortId(id: string | undefined): string {
  return id === undefined ? '' : id.slice(0, 'b3:'.length + 10)
}
