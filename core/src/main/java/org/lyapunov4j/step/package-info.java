// SPDX-License-Identifier: Apache-2.0
/**
 * What one training step does: learning rate, mini-batches, momentum, decay; and the randomness it
 * draws on.
 *
 * @serial exclude
 */
package org.lyapunov4j.step;
