package monitoringapiextension

import (
	"context"

	"github.com/quantivista/monitoring/api"
)

// ListReceivers tells the receivers of the configuration in force.
func (s *restServer) ListReceivers(context.Context, api.ListReceiversRequestObject) (api.ListReceiversResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	answer := api.ListReceivers200JSONResponse{}
	for _, r := range am.Status().Receivers {
		told := api.Receiver{Name: r.Name, Used: r.Used, Integrations: []api.ReceiverIntegration{}}
		for _, i := range r.Integrations {
			told.Integrations = append(told.Integrations, api.ReceiverIntegration{Type: i.Type, Index: i.Index, SendResolved: i.SendResolved})
		}
		answer = append(answer, told)
	}
	return answer, nil
}

// TestReceiver sends a test notification.
func (s *restServer) TestReceiver(ctx context.Context, request api.TestReceiverRequestObject) (api.TestReceiverResponseObject, error) {
	am, err := s.notifies()
	if err != nil {
		return nil, err
	}
	outcomes, err := am.Test(ctx, request.Receiver)
	if err != nil {
		return nil, notifyProblem(err)
	}
	answer := make(api.TestReceiver200JSONResponse, len(outcomes))
	for i, o := range outcomes {
		answer[i] = api.TestOutcome{Integration: o.Type, Index: o.Index, Sent: o.Reason == "", Reason: given(o.Reason), Took: o.Took.String()}
	}
	return answer, nil
}
