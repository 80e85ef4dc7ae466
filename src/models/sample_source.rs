//! What samples are taken from, and what a fit must remember of it.

use crate::data::{Censored, CensoredCustomers, Customers, SpendBasis};
use crate::time::{Date, TimeUnit};

/// Customers that a sample can be taken from: how they were measured. A model is of use only to customers measured alike.
pub trait SampleSource {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The unit of all times.
    fn unit(&self) -> TimeUnit;

    /// The last day observed, when it is known.
    fn observation_end(&self) -> Option<Date>;

    /// Which purchases an average spend is the mean of.
    fn spend_basis(&self) -> SpendBasis;
}

impl SampleSource for Customers {
    fn rows(&self) -> usize {
        self.len()
    }

    fn unit(&self) -> TimeUnit {
        self.unit()
    }

    fn observation_end(&self) -> Option<Date> {
        self.observation_end()
    }

    fn spend_basis(&self) -> SpendBasis {
        self.spend_basis()
    }
}

impl<D: Censored> SampleSource for CensoredCustomers<D> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn unit(&self) -> TimeUnit {
        self.unit()
    }

    fn observation_end(&self) -> Option<Date> {
        self.observation_end()
    }

    fn spend_basis(&self) -> SpendBasis {
        self.spend_basis()
    }
}
