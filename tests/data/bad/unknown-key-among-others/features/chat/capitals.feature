Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"

  @retry(often)
  Scenario: It knows Italy
    When I ask "What is the capital of Italy?"
    Then the reply mentions "Rome"
