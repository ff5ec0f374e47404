package admin

import (
	_ "embed"
	"net/http"
)

// description is the contract of this API. A test holds it to the routes.
//
//go:embed openapi.yaml
var description []byte

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(description) // who went away is not told
}
