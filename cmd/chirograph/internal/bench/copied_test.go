//go:build !race

package bench

const copiedEvents = 100_000
