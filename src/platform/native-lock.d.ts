declare module 'fs-native-extensions' {
  /** Takes a lock of the system on a range of an open file; false where another descriptor has it. */
  export function tryLock(fd: number, offset?: number, length?: number): boolean
}
