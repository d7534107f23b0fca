// SPDX-License-Identifier: Apache-2.0
/**
 * Listening to the training of Deeplearning4j networks.
 *
 * @serial exclude
 */
package org.lyapunov4j.dl4j;
