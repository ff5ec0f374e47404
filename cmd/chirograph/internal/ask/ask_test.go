package ask

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
)

// counting answers listings of n numbers, page after page.
func counting(n int) *Asker {
	return &Asker{send: func(_ context.Context, _, path string, _ []byte) (int, []byte, error) {
		u, err := url.Parse(path)
		if err != nil {
			return 0, nil, err
		}
		from, _ := strconv.Atoi(u.Query().Get("cursor"))
		limit, _ := strconv.Atoi(u.Query().Get("limit"))
		page := map[string]any{"as_of": 7}
		items := []string{}
		for i := from; i < min(n, from+limit); i++ {
			items = append(items, fmt.Sprintf("%06d", i))
		}
		if page["items"] = items; from+limit < n {
			page["next"] = strconv.Itoa(from + limit)
		}
		raw, err := json.Marshal(page)
		return http.StatusOK, raw, err
	}}
}

func TestAll(t *testing.T) {
	tests := []struct {
		name      string
		there     int
		limit     int
		want      int
		wantsMore bool
	}{
		{"nothing", 0, 100, 0, false},
		{"less than a page", 3, 100, 3, false},
		{"exactly what is asked for", 100, 100, 100, false},
		{"more than is asked for", 101, 100, 100, true},
		{"more than a page", 1203, 5000, 1203, false},
		{"more than a page and more than is asked for", 1203, 700, 700, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := counting(tt.there).All(t.Context(), "/numbers", map[string]string{}, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Items []string `json:"items"`
				More  bool     `json:"more"`
				AsOf  uint64   `json:"as_of"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Items) != tt.want || got.More != tt.wantsMore || got.AsOf != 7 {
				t.Fatalf("%d items, more %t, as of %d", len(got.Items), got.More, got.AsOf)
			}
			for i, text := range got.Items {
				if n, err := strconv.Atoi(text); n != i || err != nil {
					t.Fatalf("item %d is %.20s", i, text)
				}
			}
		})
	}
}
