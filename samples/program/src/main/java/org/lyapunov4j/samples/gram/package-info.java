// SPDX-License-Identifier: Apache-2.0
/** The Gram matrix of a saved model. */
package org.lyapunov4j.samples.gram;
