package platform

import (
	"os"
	"runtime/debug"
)

// heapGrowth is how much the heap may grow between two collections, in percent
// of what is alive. Little is alive, so collections would come often and cost
// more than the memory is worth.
const heapGrowth = 400

// Tune trades memory for CPU in a process that serves. GOGC in the environment
// overrules it.
func Tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
