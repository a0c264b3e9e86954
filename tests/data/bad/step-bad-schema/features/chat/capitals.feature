Feature: Capitals
  Scenario: It answers in JSON
    When I ask "What is the capital of France? Answer in JSON."
    Then the reply fits the schema:
      """
      type: object
      properties:
        capital: {type: strng}
      required: [capital]
      """
