/** The four 16-byte tables that make the byte map of `rot256-v1`; see docs/formats/chunking.md. */
export type Rot256Tables = {
  /** Low byte of the value, by the low and by the high half of the input byte. */
  lo0: Uint8Array
  hi0: Uint8Array
  /** High byte of the value, by the low and by the high half of the input byte. */
  lo1: Uint8Array
  hi1: Uint8Array
}

/** Fixed for ever: another table would be another chunking, with another name. */
export const TABLES: Rot256Tables = {
  lo0: fromHex('9153a642f24f4c4217c4df5ad02641c5'),
  hi0: fromHex('dcf7931674e692be6a7ab5a84ab60044'),
  lo1: fromHex('573a8283c6202d4e22de2d00a208fab3'),
  hi1: fromHex('152eb7492f0abb50f190367be40676dc'),
}

/** The 256 values of 16 bits that `tables` stand for. Sixteen-byte tables, so that a byte shuffle can look them up. */
export function byteMapOf(tables: Rot256Tables): Uint16Array {
  const { lo0, hi0, lo1, hi1 } = tables
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    const low = byte & 15
    const high = byte >>> 4
    return (lo0[low]! ^ hi0[high]!) | ((lo1[low]! ^ hi1[high]!) << 8)
  })
}

/** The byte map of `rot256-v1`. */
export const g: Uint16Array = byteMapOf(TABLES)

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (digits) => Number.parseInt(digits, 16))
}
