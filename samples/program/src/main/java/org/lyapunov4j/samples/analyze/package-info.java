// SPDX-License-Identifier: Apache-2.0
/** The {@code analyze} command: the stability of saved checkpoints, after the run. */
package org.lyapunov4j.samples.analyze;
