// SPDX-License-Identifier: Apache-2.0
/** Checkpoints as Micrometer meters. */
package org.lyapunov4j.dl4j.metrics;
