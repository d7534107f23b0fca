// SPDX-License-Identifier: Apache-2.0
/**
 * The record of a training run: an append-only file of JSON lines, one for each checkpoint, written
 * by the listener and read back with {@link org.lyapunov4j.dl4j.record.RunRecord}.
 */
package org.lyapunov4j.dl4j.record;
