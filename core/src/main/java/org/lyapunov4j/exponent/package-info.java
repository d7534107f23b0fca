// SPDX-License-Identifier: Apache-2.0
/**
 * Lyapunov exponents of the random matrix products of SGD, estimated from finite-time growth, in
 * nats per step.
 */
package org.lyapunov4j.exponent;
