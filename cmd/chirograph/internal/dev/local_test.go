package dev

import (
	"bytes"
	"net/http"
	"net/http/httptest"

	"github.com/chirograph/chirograph/api/admin"
)

// trusted lets a test in without a token.
var trusted = admin.Trusted{Name: "test"}

func newLocal(method, path string, body []byte) *http.Request {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
