// SPDX-License-Identifier: Apache-2.0
/** The program {@code experiments}: published and open questions put to the software. */
package org.lyapunov4j.samples.experiment;
