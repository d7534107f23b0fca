// SPDX-License-Identifier: Apache-2.0
/** The JSON records of estimates and runs. */
package org.lyapunov4j.samples.run;
