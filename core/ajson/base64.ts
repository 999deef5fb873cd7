/** The bytes of base64. Throws a `DOMException` if the text is not base64. */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  let base64 = '';
  // A function takes this many arguments for certain. A multiple of three, so that only the end is padded.
  for (let start = 0; start < bytes.length; start += 6144)
    base64 += btoa(Reflect.apply(String.fromCharCode, null, bytes.subarray(start, start + 6144)));
  return base64;
}
