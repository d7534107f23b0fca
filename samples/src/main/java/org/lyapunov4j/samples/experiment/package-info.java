// SPDX-License-Identifier: Apache-2.0
/** The command {@code experiment}: published and open questions put to the software. */
package org.lyapunov4j.samples.experiment;
