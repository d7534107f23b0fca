// SPDX-License-Identifier: Apache-2.0
/** The {@code what-if} command: one Gram matrix under other learning rates and batch sizes. */
package org.lyapunov4j.samples.whatif;
