//go:build !linux && !darwin && !freebsd

package ask

import "errors"

func space(string) (free, of uint64, err error) {
	return 0, 0, errors.New("free space is not known on this system")
}
