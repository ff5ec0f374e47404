package tillpage

import (
	"bytes"
	"context"
	_ "embed" // what the page is made of
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	//go:embed till.html
	layout string
	//go:embed till.css
	style []byte
	//go:embed till.js
	script []byte

	page = template.Must(template.New("till").Parse(layout))
)

// policy keeps the page to what comes from here.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Handler serves the till and the endpoint where it is pinged.
func (t *Till) Handler() http.Handler {
	people := http.NewServeMux()
	people.HandleFunc("GET "+Path, func(w http.ResponseWriter, _ *http.Request) { t.show(w, http.StatusOK, blank) })
	people.HandleFunc("POST "+Path, t.start)
	people.HandleFunc("GET "+Path+"/{sale}", t.showSale)
	people.HandleFunc("GET "+Path+"/till.css", func(w http.ResponseWriter, _ *http.Request) {
		file(w, "text/css; charset=utf-8", slices.Concat(t.Style, style))
	})
	people.HandleFunc("GET "+Path+"/till.js", func(w http.ResponseWriter, _ *http.Request) {
		file(w, "text/javascript; charset=utf-8", script)
	})
	all := http.NewServeMux()
	all.Handle("/", http.NewCrossOriginProtection().Handler(people))
	all.HandleFunc("POST "+Notifications, t.notified)
	return all
}

func file(w http.ResponseWriter, media string, content []byte) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(content)
}

// A view is what the page shows: a form, or a sale.
type view struct {
	Hint, Mode, Message, Seconds string

	Sale     *sale
	State    string
	Accounts []account
	Until    string
	Phone    string
	Problem  string
}

// blank is the form as it comes.
var blank = view{Hint: "alice", Mode: oauth.Poll, Message: "Till 4, receipt 117"}

// Waiting reports whether the customer may still answer.
func (v view) Waiting() bool { return v.State == waiting }

func (t *Till) show(w http.ResponseWriter, status int, v view) {
	v.Phone = t.Phone
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	b.WriteTo(w)
}

func (t *Till) showSale(w http.ResponseWriter, r *http.Request) {
	s := t.find(func(s *sale) bool { return s.ID == r.PathValue("sale") })
	if s == nil {
		v := blank
		v.Problem = "The till has forgotten this sale. Ask again."
		t.show(w, http.StatusNotFound, v)
		return
	}
	v := view{Sale: s, Until: s.Until.UTC().Format("15:04:05 UTC")}
	v.State, v.Accounts, v.Problem = s.now()
	t.show(w, http.StatusOK, v)
}

// maxForm bounds what a form may send.
const maxForm = 16 << 10

// start asks, and leads to the sale.
func (t *Till) start(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	v := view{Hint: field("login_hint"), Mode: field("mode"), Message: field("message"), Seconds: field("seconds")}
	s, err := t.wanted(r.Context(), v)
	if err != nil {
		v.Problem = "Nobody is asked: " + err.Error()
		t.show(w, http.StatusBadRequest, v)
		return
	}
	http.Redirect(w, r, Path+"/"+s.ID, http.StatusSeeOther)
}

func (t *Till) wanted(ctx context.Context, v view) (*sale, error) {
	ask := story.Ask{LoginHint: v.Hint, Message: v.Message}
	if v.Seconds != "" {
		var err error
		if ask.Expiry, err = strconv.Atoi(v.Seconds); err != nil || ask.Expiry < 1 {
			return nil, errors.New("the time to answer is a number of seconds")
		}
	}
	if v.Mode != oauth.Poll && v.Mode != oauth.Ping {
		return nil, errors.New("the till polls or is pinged")
	}
	s, err := t.ask(ctx, v.Mode, ask)
	if refused, is := errors.AsType[*story.Refusal](err); is && refused.Code != "" {
		return nil, errors.New(refused.Code + ": " + refused.Description)
	}
	return s, err
}
