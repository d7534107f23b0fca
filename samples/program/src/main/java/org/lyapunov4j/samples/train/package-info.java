// SPDX-License-Identifier: Apache-2.0
/** The {@code train} command: a network trained and watched. */
package org.lyapunov4j.samples.train;
