// SPDX-License-Identifier: Apache-2.0
/** The records of training runs as one page with pictures, to read, keep and compare. */
package org.lyapunov4j.samples.report;
