//go:build linux || darwin || freebsd

package ask

import "syscall"

// space returns how many bytes a folder's disk has for us, and in all.
func space(folder string) (free, of uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), nil
}
