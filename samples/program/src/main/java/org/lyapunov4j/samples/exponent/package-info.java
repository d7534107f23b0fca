// SPDX-License-Identifier: Apache-2.0
/** The {@code exponent} command: stability of a Gram matrix that came from elsewhere. */
package org.lyapunov4j.samples.exponent;
