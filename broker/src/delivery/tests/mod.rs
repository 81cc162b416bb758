//! Rules of delivery, one by one and all together.
