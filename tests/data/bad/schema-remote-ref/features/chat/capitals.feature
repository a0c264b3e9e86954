Feature: Capitals
  Scenario: A capital comes as JSON
    Given replies fit the schema:
      """
      type: object
      properties: {capital: {$ref: 'capital.json'}}
      """
    When I ask "What is the capital of France?"
    Then the reply fits its schema
