package monitoringapiextension

import (
	"bufio"
	"encoding/binary"
	"io"
	"net/http"
)

// prometheusPrefix is where Prometheus' own API begins; a client takes it as the URL of a Prometheus.
const prometheusPrefix = "/prometheus"

// maxDecoded bounds what a snappy body may unpack to, as Prometheus bounds it for remote write.
const maxDecoded = 32 << 20

// registerPrometheus serves a metric store's Prometheus API, and the probes of a Prometheus, under the prefix.
func registerPrometheus(mux *http.ServeMux, store http.Handler, ready func() bool) {
	mux.Handle(prometheusPrefix+"/api/v1/", http.StripPrefix(prometheusPrefix, boundSnappy(store)))
	mux.HandleFunc("GET "+prometheusPrefix+"/-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		probe(w, http.StatusOK, "Prometheus Server is Healthy.\n")
	})
	mux.HandleFunc("GET "+prometheusPrefix+"/-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if ready() {
			probe(w, http.StatusOK, "Prometheus Server is Ready.\n")
		} else {
			probe(w, http.StatusServiceUnavailable, "Service Unavailable")
		}
	})
}

func probe(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // A prober that left does not want the text.
}

// keepSnappy leaves a snappy body as it came: Prometheus' remote write and read unpack it themselves. The server
// would otherwise unpack it first.
func keepSnappy(io.ReadCloser) (io.ReadCloser, error) { return nil, nil }

// boundSnappy refuses a snappy body that would unpack to more than maxDecoded bytes. The format begins with that
// size, and a decoder allocates it: five bytes could ask for 4 GiB.
func boundSnappy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || (r.URL.Path != "/api/v1/write" && r.URL.Path != "/api/v1/read") {
			next.ServeHTTP(w, r)
			return
		}
		body := bufio.NewReader(r.Body)
		head, _ := body.Peek(binary.MaxVarintLen64) // A short or broken body is the decoder's to refuse.
		if size, n := binary.Uvarint(head); n > 0 && size > maxDecoded {
			http.Error(w, "the body unpacks to more than 32 MiB: send smaller batches", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{body, r.Body}
		next.ServeHTTP(w, r)
	})
}
