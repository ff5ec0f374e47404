//go:build race

package bench

const copiedEvents = 4_000 // the race detector makes all of it many times slower
