package main

import (
	"strings"
	"testing"
)

type key struct{ Kid, Alg, Status string }

type keyRing struct{ Items []key }

// with returns the keys of a status.
func (r keyRing) with(status string) (all []key) {
	for _, k := range r.Items {
		if k.Status == status {
			all = append(all, k)
		}
	}
	return all
}

func TestKeys(t *testing.T) {
	dir, _ := prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	ring := func() keyRing { return answer[keyRing](t, dir, "keys", "list", "--issuer", "fapi2") }
	first := ring().with("active")
	if len(first) != 1 {
		t.Fatalf("%d keys sign", len(first))
	}
	if r := chirograph(t, dir, "keys", "retire", first[0].Kid); r.code != 5 || !strings.Contains(r.err, "the only key that signs ES256 for fapi2") {
		t.Errorf("retiring the only one: exit %d\n%s%s", r.code, r.out, r.err)
	}
	ok(t, dir, "keys", "rotate", "fapi2")
	if all := ring(); len(all.with("announced")) != 1 || len(all.with("active")) != 1 {
		t.Errorf("after the first step: %+v", all)
	}
	ok(t, dir, "keys", "rotate", "fapi2") // ten minutes have not passed
	if all := ring(); len(all.with("announced")) != 1 || len(all.with("active")) != 1 {
		t.Errorf("after the same step: %+v", all)
	}
	ok(t, dir, "keys", "rotate", "fapi2", "--now")
	if all := ring(); len(all.with("active")) != 1 || len(all.with("retired")) != 1 || all.with("retired")[0] == first[0] || all.with("active")[0].Kid == first[0].Kid {
		t.Errorf("after the second step: %+v", all)
	}
	if r := chirograph(t, dir, "keys", "destroy", ring().with("active")[0].Kid); r.code != 5 {
		t.Errorf("destroying a key that signs: exit %d\n%s", r.code, r.err)
	}
	ok(t, dir, "keys", "destroy", first[0].Kid)
	ok(t, dir, "keys", "compromise", ring().with("active")[0].Kid, "--reason", "a laptop was lost")
	if all := ring(); len(all.with("active")) != 1 || len(all.with("compromised")) != 1 || len(all.with("destroyed")) != 1 {
		t.Errorf("after a compromise: %+v", all)
	}
	told := answer[entries](t, dir, "audit", "timeline", "signingkey/"+first[0].Kid)
	for _, step := range []string{"announced", "activated", "retired", "destroyed"} {
		told.of(t, "signingkey."+step)
	}
}
