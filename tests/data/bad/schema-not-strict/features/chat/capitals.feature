Feature: Capitals
  Scenario: A capital comes as JSON
    Given replies strictly fit the schema:
      """
      type: object
      properties: {capital: {type: string}}
      additionalProperties: false
      """
    When I ask "What is the capital of France?"
    Then the reply fits its schema
