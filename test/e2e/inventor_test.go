package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// inventor makes requests that are wrong somewhere.
type inventor struct {
	random *rand.Rand
	// ids are those that are stored, by table.
	ids map[string][]string
}

// request is one that was invented.
type request struct {
	target, contentType string
	body                []byte
	header              map[string]string
}

const (
	notStored = "01979119-fe10-7d2a-9d35-6f3fd3f5b0c1"
	longText  = 70_000 // longer than any field takes
	deepJSON  = 20_000
)

// nasty are texts that something may stumble over.
var nasty = []string{
	"", " ", "\x00", "a\x00b", "\xff\xfe", "é\xc3", "\u202e", "💥", "'", "''", `"`, "`", "\\", "%", "_", "%%s%n", "$1", "?", "?0", ":name", "--", "/*", ";",
	"' OR '1'='1", "'; DROP TABLE alerts; --", `"); DELETE FROM incidents; --`, "1) UNION SELECT * FROM alert_rules --", "\\'; SELECT pg_sleep(60); --",
	"a' || (SELECT 1/0) || '", "{\"a\": 1}", "{}", "[]", "null", "true", "-1", "0", "1e309", "NaN", "99999999999999999999", "1.5", "../../etc/passwd", "%2e%2e%2f", "%00",
	"{{ .Secret }}", "{{ template \"x\" }}", "{{", "${env:HOME}", "__name__", "up{", "up ==", "starts_at DESC; --", "0s", "-5m", "1y999999999999", "2026-02-30T00:00:00Z",
	"9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+99:99", "eyJsIjoiYWxlcnRzIn0", "e30", "(", "(?P<x>", `service="a"`, `service=~"("`, `service=~"(a|b)+$^"`,
	`service='; --`, `'="x"`, `a"b="x"`, `service=~"\\bx"`, `{service="a",}`, notStored, "*", `"7"`, `W/"7"`, `"7", "8"`, `"99999999999999999999"`,
}

// text gives one of the nasty, a very long one, or nonsense.
func (v *inventor) text() string {
	switch v.random.IntN(12) {
	case 0:
		return strings.Repeat(nasty[1+v.random.IntN(len(nasty)-1)], longText)[:longText]
	case 1:
		noise := make([]byte, v.random.IntN(40))
		for i := range noise {
			noise[i] = byte(v.random.IntN(256))
		}
		return string(noise)
	default:
		return nasty[v.random.IntN(len(nasty))]
	}
}

// short is a text for what goes into the head of a request, which has a limit of its own.
func (v *inventor) short() string { t := v.text(); return t[:min(len(t), 4000)] }

// invent makes a request to an operation. One place of it or more is wrong, most of the time.
func (v *inventor) invent(op operation) request {
	r := request{header: map[string]string{}}
	path, query, takesQuery := op.path, url.Values{}, false
	for _, parameter := range op.Parameters {
		p := parameter.Value
		switch p.In {
		case openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v.pathValue(p.Name)))
		case openapi3.ParameterInQuery:
			takesQuery = true
			for v.random.IntN(3) == 0 || (p.Required && !query.Has(p.Name)) {
				query.Add(p.Name, v.short())
			}
		case openapi3.ParameterInHeader:
			if v.random.IntN(4) == 0 {
				r.header[p.Name] = headerSafe(v.short())
			}
		}
	}
	r.target = path
	if len(query) > 0 {
		r.target += "?" + query.Encode()
	}
	if takesQuery && v.random.IntN(50) == 0 {
		r.target = path + "?limit=%zz&" + query.Encode()
	}
	r.contentType, r.body = v.body(op)
	return r
}

// pathValue is mostly an ID of the right kind, so that the body counts.
func (v *inventor) pathValue(name string) string {
	if v.random.IntN(4) == 0 {
		if t := v.short(); t != "" && t != "." && t != ".." {
			return t
		}
	}
	table := map[string]string{"alertId": "alerts", "ruleId": "alert_rules", "incidentId": "incidents"}[name]
	if known := v.ids[table]; len(known) > 0 && v.random.IntN(5) > 0 {
		return known[v.random.IntN(len(known))]
	}
	return notStored
}

// headerSafe leaves what a client can write into a header.
func headerSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// body makes that of an operation that takes one.
func (v *inventor) body(op operation) (contentType string, body []byte) {
	schema, examples := op.jsonBody()
	if schema == nil {
		return "", nil
	}
	contentType = "application/json"
	value := sample(schema, 0)
	if len(examples) > 0 && v.random.IntN(2) == 0 {
		value = examples[v.random.IntN(len(examples))]
	}
	value = clone(value)
	for range 1 + v.random.IntN(2) {
		value = v.spoil(value)
	}
	body, _ = json.Marshal(value) // of what was JSON
	switch v.random.IntN(20) {
	case 0:
		body = mutate(v.random, [][]byte{body})
	case 1:
		body = bytes.ReplaceAll(body, []byte(`text`), []byte("\xff\xc3"))
	case 2:
		body = slices.Concat(bytes.Repeat([]byte("["), deepJSON), body, bytes.Repeat([]byte("]"), deepJSON))
	case 3:
		contentType = []string{"", "text/plain", "application/json; charset=latin1", "application/xml", ";;;"}[v.random.IntN(5)]
	case 4:
		body = []byte(nasty[v.random.IntN(len(nasty))])
	}
	return contentType, body
}

// spoil puts something else into one place of a JSON value.
func (v *inventor) spoil(value any) any {
	switch x := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(x))
		if len(names) == 0 || v.random.IntN(8) == 0 {
			x[v.text()] = v.junk()
			return x
		}
		name := names[v.random.IntN(len(names))]
		if v.random.IntN(6) == 0 {
			delete(x, name)
		} else {
			x[name] = v.spoil(x[name])
		}
		return x
	case []any:
		if len(x) == 0 || v.random.IntN(4) == 0 {
			return append(x, v.junk())
		}
		i := v.random.IntN(len(x))
		x[i] = v.spoil(x[i])
		return x
	default:
		return v.junk()
	}
}

// junk is any value; texts most of all, since these are what reaches a database.
func (v *inventor) junk() any {
	switch v.random.IntN(12) {
	case 0:
		return nil
	case 1:
		return v.random.IntN(2) == 0
	case 2:
		return []any{0, -1, 1.5, 1e300, 99999999999999999}[v.random.IntN(5)]
	case 3:
		return []any{}
	case 4:
		return map[string]any{v.text(): v.text()}
	case 5:
		return slices.Repeat([]any{v.ids["alerts"][0]}, 1+v.random.IntN(1200))
	case 6:
		return []any{v.text(), v.text()}
	case 7:
		return v.ids["incidents"][0]
	default:
		return v.text()
	}
}

// clone gives a JSON value that shares nothing with another.
func clone(value any) (copied any) {
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, &copied)
	}
	if err != nil {
		return value
	}
	return copied
}
