//! Assembly of the running agent: feeders, workers, shipper, reload, supervisor.
