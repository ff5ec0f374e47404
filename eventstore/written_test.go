package eventstore

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/chirograph/chirograph/domain/event"
)

// What is read the quick way is what encoding/json reads, and of what
// encoding/json refuses nothing gets through.
func FuzzWrittenBox(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"sealed":{"holder":"subject:a","fields":{"name":"AAAA"}}}`,
		`{"sealed":{"holder":"subject:a","fields":{"name":"AAAA","iban":"BBBB"}}}`,
		`{"a":{"sealed":{"holder":"x","fields":{"n":"A"}}}}`,
		`{"a":{"sealed":{"holder":"x","fields":{"n":"A"}}},"sealed":{"holder":"y","fields":{"n":"A"}}}`,
		`{"a":1,,"sealed":{"holder":"x","fields":{"n":"A"}}}`,
		`{ ,"sealed":{"holder":"x","fields":{"n":"A"}}}`,
		`{,"sealed":{"holder":"x","fields":{"n":"A"}}}`,
		`["sealed":{"holder":"x","fields":{"n":"A"}}}`,
		`{"a":{"b":1,"sealed":{"holder":"x","fields":{"n":"A"}}}`,
		`{"a":1,"sealed":{"holder":"x\u0041","fields":{"n":"A"}}}`,
		`{"a":1,"sealed":{"holder":"","fields":{"n":"A"}}}`,
		`{"a":1,"sealed":{"holder":"x","fields":{"n":"A","n":"B"}}}`,
		`{"a":1,"sealed":{"holder":"x","fields":{"n":"A"}}} `,
		`{"a":"\"sealed\":{\"holder\":","sealed":{"holder":"x","fields":{"n":"A"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		at := bytes.Index(stored, sealedMember)
		if at < 0 {
			return
		}
		b, asWritten := writtenBox(stored, at)
		if !asWritten {
			return
		}
		rest := append(bytes.Clone(b.rest), '}')
		if json.Valid(rest) != json.Valid(stored) {
			t.Fatalf("%s is as well-formed as %s", rest, stored)
		}
		if !json.Valid(stored) {
			return
		}
		slow, err := anyBox(stored)
		if err != nil || slow.holder != b.holder || len(slow.fields) != len(b.fields) {
			t.Fatalf("%s reads as %+v, want %+v, %v", stored, b, slow, err)
		}
		for _, f := range slow.fields {
			if !contains(b.fields, f) {
				t.Fatalf("%s lacks %v", stored, f)
			}
		}
	})
}

func contains(all []boxed, want boxed) bool {
	for _, f := range all {
		if f == want {
			return true
		}
	}
	return false
}

func FuzzReadMeta(f *testing.F) {
	for _, seed := range []string{
		`{"iss":"bank","actor":"client","client_id":"budgetly","sub":"alice"}`, `{}`, `{"iss":"bank",}`, `{"iss":"bank"} x`,
		`{"iss":1}`, `{"ISS":"bank"}`, `{"iss":"a","iss":"b"}`, `{"other":"x"}`, `{"iss":"\u00e9"}`, "{\"iss\":\"\x80\"}", `{"iss":null}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		got, err := readMeta(plain)
		var want event.Meta
		wantErr := json.Unmarshal(plain, &want)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q reads as %+v, %v; want %+v, %v", plain, got, err, want, wantErr)
		}
	})
}

// Every member of the metadata can be read the quick way.
func TestMetaIsReadAsItIsWritten(t *testing.T) {
	var m event.Meta
	fields := reflect.ValueOf(&m).Elem()
	for i := range fields.NumField() {
		fields.Field(i).SetString(fields.Type().Field(i).Name)
	}
	plain, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got event.Meta
	if !writtenMeta(plain, &got) || got != m {
		t.Errorf("%s reads as %+v", plain, got)
	}
}
