/** DIAGI of what an operator has stopped (OPER). */
export const BY_OPERATOR = 121;
