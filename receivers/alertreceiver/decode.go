package alertreceiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	openapierrors "github.com/go-openapi/errors"
	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/models"
)

// maxBody bounds a body. Alertmanager has no bound; a Prometheus sends some 100 KiB at a time.
const maxBody = 8 << 20

const jsonType = "application/json"

// decode reads alerts as Alertmanager's generated server does, with its errors. An entry may be nil.
func decode(r *http.Request, most int) (models.PostableAlerts, error) {
	given := r.Header.Get("Content-Type")
	if mediaType, _, err := mime.ParseMediaType(given); err != nil || mediaType != jsonType {
		return nil, openapierrors.InvalidContentType(given, []string{jsonType})
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, openapierrors.New(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes, the most that is taken", tooLarge.Limit)
	}
	if err != nil {
		return nil, openapierrors.NewParseError("alerts", "body", "", err)
	}
	return decodeBody(body, most)
}

func decodeBody(body []byte, most int) (models.PostableAlerts, error) {
	// Elements of no size: counting costs no memory. What else is wrong with the body comes out below.
	var elements []struct{}
	_ = json.Unmarshal(body, &elements)
	if len(elements) > most {
		return nil, openapierrors.New(http.StatusRequestEntityTooLarge, "the body has %d alerts, at most %d are taken at once (\"max_alerts_per_request\")", len(elements), most)
	}
	var alerts models.PostableAlerts
	switch err := json.NewDecoder(bytes.NewReader(body)).Decode(&alerts); {
	case errors.Is(err, io.EOF):
		return nil, openapierrors.Required("alerts", "body", "")
	case err != nil:
		return nil, openapierrors.NewParseError("alerts", "body", "", err)
	}
	if err := alerts.Validate(strfmt.Default); err != nil {
		return nil, err
	}
	return alerts, nil
}

// serveError answers as Alertmanager's generated server does.
func serveError(w http.ResponseWriter, r *http.Request, err error) {
	openapierrors.ServeError(w, r, err)
}
