/** A device number as stat(2) has it, of its parts as statx(2) has them: glibc's gnu_dev_makedev(). */
export function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (high & 0xfffn) << 8n | low & 0xffn | (low & ~0xffn) << 12n | (high & ~0xfffn) << 32n;
}
