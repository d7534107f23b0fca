// SPDX-License-Identifier: Apache-2.0
/** The command line program. */
package org.lyapunov4j.samples;
