package traces

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/go-logfmt/logfmt"
)

// MaxTags is how many attributes are searched for at most.
const MaxTags = 64

var (
	errTags     = errors.New(`must be written as error=true customer="Ada Lovelace", or as a JSON object of strings`)
	errManyTags = errors.New("must have at most 64 attributes")
)

// ParseTags reads attributes to search for: logfmt, as in Jaeger's search box, or a JSON object of strings.
func ParseTags(s string) (map[string]string, error) {
	var err error
	tags := map[string]string{}
	if strings.HasPrefix(strings.TrimSpace(s), "{") {
		err = json.Unmarshal([]byte(s), &tags)
	} else {
		err = parseLogfmt(s, tags)
	}
	if _, nameless := tags[""]; nameless || err != nil || len(tags) == 0 {
		return nil, errTags
	}
	if len(tags) > MaxTags {
		return nil, errManyTags
	}
	return tags, nil
}

func parseLogfmt(s string, into map[string]string) error {
	// Newlines separate records, which all count.
	d := logfmt.NewDecoder(strings.NewReader(s))
	for d.ScanRecord() {
		for d.ScanKeyval() {
			if d.Value() == nil {
				return errTags // A key alone, which would search for an empty value.
			}
			into[string(d.Key())] = string(d.Value())
		}
	}
	return d.Err()
}
