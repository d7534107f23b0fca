// SPDX-License-Identifier: Apache-2.0
/** The result of watching a training run: one immutable record per checkpoint. */
package org.lyapunov4j.dl4j.checkpoint;
