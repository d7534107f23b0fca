// SPDX-License-Identifier: Apache-2.0
/** Small programs to read and to copy; each says in its first line what it shows. */
package org.lyapunov4j.samples.firststeps;
