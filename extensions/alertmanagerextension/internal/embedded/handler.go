package embedded

import "net/http"

// sameOrigin hides from Alertmanager's handler that a browser asks for a page of another origin. The handler would let
// every page on the web read alerts and make silences; who may is for the server in front of it to say.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain := r.Clone(r.Context())
		plain.Header.Del("Origin")
		plain.Header.Del("Access-Control-Request-Method")
		next.ServeHTTP(w, plain)
	})
}
