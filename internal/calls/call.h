// The handlers of calls in XLA's programs.

// filters_call is the handler of the call @holt_filters_gradient.
void *filters_call(void *frame);

// convolution_call is the handler of the call @holt_convolution.
void *convolution_call(void *frame);

// product_call and transpose_call are the handlers of the calls @holt_product and @holt_transpose.
void *product_call(void *frame), *transpose_call(void *frame);

// recurrence_call and recurrence_gradient_call are the handlers of the calls @holt_recurrence
// and @holt_recurrence_gradient.
void *recurrence_call(void *frame), *recurrence_gradient_call(void *frame);

// attention_call is the handler of the call @holt_attention, of the output and of its gradient.
void *attention_call(void *frame);

// Registers the handlers in a plugin, which is one whose layout of the arguments is known.
// Returns whether it did.
int calls_register(void *api);
